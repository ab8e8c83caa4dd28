"""Training of SAResNet: network, data, negatives, pre-training, fine-tuning, evaluation."""
