"""Export of saresnet networks: a torch checkpoint becomes one ONNX file that reads raw DNA."""
