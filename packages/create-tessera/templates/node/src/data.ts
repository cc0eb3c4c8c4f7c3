import { data, tensor } from 'tessera';

/** Points of two spirals, and on which of them each lies. */
export function spirals(count: number): data.TensorDataset {
  const points: number[][] = [];
  const classes: number[] = [];
  for (let i = 0; i < count; i++) {
    const side = i % 2;
    const r = i / count;
    const angle = 5 * r + Math.PI * side + 0.1 * Math.sin(12.9898 * i);
    points.push([r * Math.cos(angle), r * Math.sin(angle)]);
    classes.push(side);
  }
  return new data.TensorDataset(tensor(points), tensor(classes, { dtype: 'int32' }));
}
