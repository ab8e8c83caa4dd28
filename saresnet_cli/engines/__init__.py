"""The engines that compute a model file, one module each; `runtime.Runtime` chooses among them."""
