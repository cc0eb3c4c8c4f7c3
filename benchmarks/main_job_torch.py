# venv/bin/python main_job_torch.py [--threads 1] [--batch-size 32] [--epochs 3]: the main job's training in PyTorch, in images a second.
# The same network, optimizer and batch size as `npm start`; the images are random, which no kernel here minds.
import argparse, time, torch, torch.nn as nn, torch.nn.functional as F
A = argparse.ArgumentParser(); A.add_argument('--threads', type=int, default=1); A.add_argument('--batch-size', type=int, default=32); A.add_argument('--epochs', type=int, default=3); A = A.parse_args()
torch.set_num_threads(A.threads)
images, labels = torch.rand(1437, 1, 28, 28), torch.randint(0, 10, (1437,))
model = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(32 * 49, 10))
optimizer = torch.optim.Adam(model.parameters())
best = 0
for _ in range(A.epochs):
    order, start = torch.randperm(len(images)), time.perf_counter()
    for batch in order.split(A.batch_size):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images[batch]), labels[batch])
        loss.backward()
        optimizer.step()
        loss.item()
    best = max(best, len(images) / (time.perf_counter() - start))
print(f'{best:.0f} images/s, batches of {A.batch_size}, {A.threads} thread(s), torch {torch.__version__}')
