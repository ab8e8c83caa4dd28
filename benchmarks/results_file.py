"""The file of results: written after every measurement, so that a run that was ended goes on."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass
from pathlib import Path

from jobs import Job
from saresnet_cli.output import whole_file


@dataclass
class Results:
    """What was measured, in a JSON file.

    content: `settings` and `machine`, equal in all of a run; `jobs`: name -> what, group, threads, command, and
    `runs`, the figures of each round, or `not_run`, the reason.
    """

    path: Path
    content: dict

    @classmethod
    def open(cls, path: Path, settings: dict, machine: dict, fresh: bool) -> Results:
        """Go on with a file, or begin one; raises ValueError when it was measured with other settings."""
        if path.exists() and not fresh:
            content = json.loads(path.read_text())
            for key, now in (("settings", settings), ("machine", machine)):
                changed = [name for name in now if content[key].get(name) != now[name]]
                if changed:
                    raise ValueError(f"{path} was measured with other {', '.join(changed)}: use --fresh or --out")
        else:
            content = {"settings": settings, "machine": machine, "begun": _now(), "jobs": {}}
        return cls(path, content)

    def enter(self, jobs: list[Job], names: dict[str, str]) -> None:
        """List jobs in their order, with what is known of them already; names: words of commands to abbreviate."""
        known = self.content["jobs"]
        listed = {}
        for job in jobs:
            entry = known.pop(job.name, {"runs": []})
            command = " ".join(_abbreviate(word, names) for word in job.command)
            listed[job.name] = {
                "what": job.what, "group": job.group, "threads": job.threads, "command": command,
                **{key: entry[key] for key in ("not_run", "runs") if key in entry},
            }  # fmt: skip
        self.content["jobs"] = listed | known

    def runs(self, job: Job) -> int:
        """Return how often a job was measured."""
        return len(self.content["jobs"][job.name]["runs"])

    def add(self, job: Job, figures: dict) -> None:
        """Keep the figures of one measurement."""
        entry = self.content["jobs"][job.name]
        entry.pop("not_run", None)
        entry["runs"].append(figures)
        self.save()

    def leave_out(self, job: Job, reason: str) -> None:
        """Say why a job was not measured."""
        self.content["jobs"][job.name]["not_run"] = reason
        self.save()

    def save(self) -> None:
        """Write the file, whole or not at all."""
        self.content["ended"] = _now()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(self.path, ".json") as part:
            part.write_text(json.dumps(self.content, indent=1) + "\n")


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


def _abbreviate(word: str, names: dict[str, str]) -> str:
    for long, short in names.items():
        if word == long or word.startswith(f"{long}/"):
            return short + word.removeprefix(long)
    return word
