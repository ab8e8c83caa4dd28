from pathlib import Path

RESULTS = config["results"]
SUFFIX = f"{config['format']}.gz"
# name of a result: what saresnet is told of the model
MODELS = {Path(model).name.removesuffix(".onnx"): model for model in config["models"]}
if len(MODELS) < len(config["models"]):
    raise WorkflowError("two models of the configuration have the same name")
DIGITS = len(str(config["shards"]))
SHARDS = [f"{number:0{DIGITS}d}" for number in range(1, config["shards"] + 1)]


wildcard_constraints:
    model="|".join(map(re.escape, MODELS)),
    shard="[0-9]+",


def model_file(wildcards):
    """The file of a model, where it is one: a job is then run again when it changes."""
    model = MODELS[wildcards.model]
    return [model] if model.endswith(".onnx") else []
