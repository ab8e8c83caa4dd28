"""The methods that SAResNet is compared with, one file each."""
