"""The report of the benchmark: from a folder of results to Markdown and HTML."""

from saresnet_train.benchmark.report.page import build, report, write
from saresnet_train.benchmark.report.records import Record, RecordError, Records, Set, read_records
from saresnet_train.benchmark.report.statistics import holm, mean_over_sets, paired

__all__ = [
    "Record",
    "RecordError",
    "Records",
    "Set",
    "build",
    "holm",
    "mean_over_sets",
    "paired",
    "read_records",
    "report",
    "write",
]
