"""PyTorch's side of `npm run check:pytorch`. Needs torch (tested with 2.9.1) and nothing else.

peer.py write FOLDER: checkpoints in the middle of training, and what PyTorch does from there.
peer.py read FOLDER: Tessera's checkpoints, loaded with weights_only=True, go on as Tessera did. Ends with 1 if one does not."""
import json
import sys

import torch
from torch import nn

DTYPES = ["float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "uint16", "uint32", "bool"]
OPTIMIZERS = {
    "adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "adamw-amsgrad": lambda p: torch.optim.AdamW(p, lr=0.01, amsgrad=True),
    "sgd-nesterov": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.001),
    "rmsprop-centered": lambda p: torch.optim.RMSprop(p, lr=0.005, centered=True, momentum=0.5),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.05),
    "two-groups": lambda p: torch.optim.Adam([{"params": p[:1], "lr": 0.001}, {"params": p[1:]}], lr=0.02, betas=(0.8, 0.95)),
}
STEPS, MORE = 3, 5


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(4)
        self.gru = nn.GRU(16, 8, batch_first=True, bidirectional=True)
        self.norm = nn.LayerNorm(16)
        self.fc = nn.Linear(16, 3)

    def forward(self, x):
        out, _ = self.gru(torch.relu(self.bn(self.conv(x))).flatten(2))
        return self.fc(self.norm(out).mean(1))


def steps(net, opt, sched, x, y, count):
    losses = []
    for _ in range(count):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        opt.step()
        sched.step()
        losses.append(loss.item())
    return losses


def numbers(state):
    return {name: [str(t.dtype).removeprefix("torch."), list(t.shape), t.double().flatten().tolist()] for name, t in state.items()}


def write(folder):
    base = torch.tensor([[0, 1, 2], [3, 120, 77]])
    dtypes = {name: base.to(getattr(torch, name)) for name in DTYPES} | {"empty": torch.empty(0, 3), "scalar": torch.tensor(1.5), "turned": base.float().t()}
    torch.save(dtypes, f"{folder}/dtypes.pt")
    answers = {"dtypes": numbers(dtypes), "runs": {}}
    for i, (name, make) in enumerate(OPTIMIZERS.items()):
        torch.manual_seed(i)
        net, x, y = Net(), torch.randn(8, 1, 4, 4), torch.randint(0, 3, (8,))
        opt = make(list(net.parameters()))
        sched = torch.optim.lr_scheduler.StepLR(opt, 2, gamma=0.5)
        steps(net, opt, sched, x, y, STEPS)
        parts = {"model": net.state_dict(), "optimizer": opt.state_dict(), "scheduler": sched.state_dict(), "x": x, "y": y}
        torch.save(parts, f"{folder}/{name}.pt")
        answers["runs"][name] = {"losses": steps(net, opt, sched, x, y, MORE), "after": numbers(net.state_dict())}
    json.dump(answers, open(f"{folder}/answers.json", "w"))


def close(ours, theirs):
    a, b = torch.tensor(ours, dtype=torch.float64), torch.tensor(theirs, dtype=torch.float64)
    return a.shape == b.shape and bool(((a - b).abs() <= 1e-4 * b.abs().max().clamp(min=1) + 1e-6).all()) if a.numel() else a.shape == b.shape


def read(folder):
    answers = json.load(open(f"{folder}/answers.json"))
    wrong = []

    def check(what, right):
        print(f"{'ok  ' if right else 'WRONG'} {what}")
        if not right:
            wrong.append(what)

    found = numbers(torch.load(f"{folder}/dtypes.pt", weights_only=True))
    for name, expected in answers["dtypes"].items():
        check(f"{name}: {expected[0]} of {expected[1]}", found.get(name) == expected)
    for name, expected in answers["runs"].items():
        parts = torch.load(f"{folder}/{name}.pt", weights_only=True)
        net = Net()
        net.load_state_dict(parts["model"])
        opt = OPTIMIZERS[name](list(net.parameters()))
        opt.load_state_dict(parts["optimizer"])
        sched = torch.optim.lr_scheduler.StepLR(opt, 2, gamma=0.5)
        sched.load_state_dict(parts["scheduler"])
        losses = steps(net, opt, sched, parts["x"], parts["y"].long(), MORE)
        check(f"{name}: losses {' '.join(f'{x:.5f}' for x in losses)}", close(losses, expected["losses"]))
        after = numbers(net.state_dict())
        same = after.keys() == expected["after"].keys()
        check(f"{name}: the model after {MORE} steps", same and all(close(after[k][2], v[2]) for k, v in expected["after"].items()))
    sys.exit(1 if wrong else 0)


if sys.argv[1] == "write":
    write(sys.argv[2])
else:
    read(sys.argv[2])
