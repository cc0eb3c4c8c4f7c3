/** @file Checkpoints of whole runs. */
export { checkpointBytes, type CheckpointParts, loadCheckpoint, restoreCheckpoint, saveCheckpoint, type Stateful } from './checkpoint.js';
