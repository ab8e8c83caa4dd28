"""The shipped models: `registry.json` and the ONNX files that it lists; data, no code."""
