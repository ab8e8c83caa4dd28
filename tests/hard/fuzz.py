"""Feeds the parsers with what no one would write: every file ends in a result or in one clean error.

`python tests/hard/fuzz.py --seconds 3600` takes turns between the parsers of BED, FASTA, the index of a FASTA file,
VCF, model files and model cards, with new examples each time, and prints how many it tried as JSON; exit code 1 and
the smallest example where one fails. `--seed` repeats a run. tests/hard/test_fuzz.py runs it for some seconds a parser.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import hypothesis
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from saresnet_cli.card import METADATA_KEY, Background, Card
from saresnet_cli.errors import SaresnetError
from saresnet_cli.genome import Genome
from saresnet_cli.model_file import read_card
from saresnet_cli.planning import share_of
from saresnet_cli.protobuf import BYTES, field
from saresnet_cli.reading import RegionReader
from saresnet_cli.regions import read_regions
from saresnet_cli.sequences import read_fasta
from saresnet_cli.shards import Shard

GENOME = {"chr1": "ACGTN" * 60, "2": "acgt" * 40, "x": "A" * 50}
WORDS = ["chr1", "2", "x", "track", "browser", "#", ">", ">>", "-1", "0", "5", "150", "300", "301", "1e3", "+5", "٣"]
WORDS += [
    "9" * 30,
    ".",
    "*",
    "",
    "nan",
    "\0",
    "\ufeff",
    "\u2028",
    "\x1c",
    "\x85",
    "\xa0",
    "ACGT",
    "N" * 101,
    "-",
    "<DEL>",
]
ENDS = ["\n", "\r\n", "\r", "\n\n", "", "\t", " ", "\0"]

BYTES_OF_ANY_KIND = st.binary(max_size=400)
LINES = st.lists(
    st.tuples(
        st.lists(st.sampled_from(WORDS) | st.text(max_size=6), max_size=12),
        st.sampled_from(["\t", " ", ",", "\t\t"]),
        st.sampled_from(ENDS),
    ),
    max_size=12,
).map(lambda lines: "".join(join.join(words) + end for words, join, end in lines).encode("utf-8", "surrogatepass"))


def broken(whole: bytes) -> st.SearchStrategy[bytes]:
    """A whole file with some bytes put in, taken out or changed."""
    change = st.tuples(st.integers(0, len(whole)), st.integers(0, 8), st.binary(max_size=8))

    def apply(changes: list[tuple[int, int, bytes]]) -> bytes:
        data = whole
        for at, out, put in changes:
            data = data[:at] + put + data[at + out :]
        return data

    return st.lists(change, max_size=5).map(apply)


BED = b"#c\ntrack name=a\nchr1\t0\t150\tn\t0\t.\t1\t1\t1\t20\n2\t5\t160\nchr1\t7\t107\r\n"
FASTA = b">chr1 d\nACGTACGTNN\nacgt\n>2\r\nAC\r\nGT\r\n\n>x\n"
VCF = (
    b"##fileformat=VCFv4.2\n##contig=<ID=chr1,length=300>\n"
    b'##INFO=<ID=DP,Number=1,Type=Integer,Description="d">\n##FORMAT=<ID=GT,Number=1,Type=String,Description="g">\n'
    b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\n"
    b"chr1\t6\t.\tA\tC,<DEL>\t9\tPASS\tDP=3\tGT\t0/1\n2\t9\tr\tACG\tA\t.\t.\t.\tGT\t.\nchr1\t300\t.\tN\t]x:5]N\t.\t.\tDP\tGT\t1|1\n"
)
CARD = Card("A_b", "A", "b", background={"genomic": Background(9, (1.0, 0.5, 0.1), (-1.0, 0.0, 2.0), "w")}).to_json()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
CARD_FIELDS = st.dictionaries(st.sampled_from([*json.loads(CARD), "tail", "windows", "logit"]), JSON, max_size=5)


def changed_card(values: dict) -> bytes:
    """A card with other values, some within its background."""
    card = json.loads(CARD)
    for name, value in values.items():
        (
            card["background"]["genomic"]
            if name in ("tail", "windows", "logit")
            and isinstance(card["background"], dict)
            and "genomic" in card["background"]
            else card
        )[name] = value
    return json.dumps(card).encode()


def model(card: bytes) -> bytes:
    """The smallest model file with a card."""
    entry = field(1, BYTES, METADATA_KEY.encode()) + field(2, BYTES, card)
    tensor = field(13, BYTES, field(1, BYTES, b"location") + field(2, BYTES, b"w"))[:9] + field(9, BYTES, b"\0\0\0\0")
    return field(7, BYTES, field(5, BYTES, tensor) + field(2, BYTES, b"g")) + field(14, BYTES, entry)


class Parsers:
    """What is fuzzed, each a function of the bytes of a file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        path = folder / "genome.fa"
        path.write_text("".join(f">{name}\n{bases}\n" for name, bases in GENOME.items()))
        self._genome = Genome(path)
        self.examples: dict[str, tuple[Callable[[bytes], None], st.SearchStrategy[bytes]]] = {
            "bed": (self.bed, BYTES_OF_ANY_KIND | LINES | broken(BED)),
            "fasta": (self.fasta, BYTES_OF_ANY_KIND | LINES | broken(FASTA)),
            "fai": (self.fai, BYTES_OF_ANY_KIND | LINES | broken(b"chr1\t300\t6\t300\t301\n2\t160\t310\t160\t161\n")),
            "vcf": (self.vcf, broken(VCF) | LINES.map(lambda lines: VCF + lines) | BYTES_OF_ANY_KIND),
            "card": (
                self.card,
                broken(CARD.encode()) | JSON.map(lambda v: json.dumps(v).encode()) | CARD_FIELDS.map(changed_card),
            ),
            "model": (self.model, broken(model(CARD.encode())) | BYTES_OF_ANY_KIND),
        }

    def bed(self, data: bytes) -> None:
        """Read regions and their windows, whole and in shards, which have to agree."""
        path = self._file(data)
        with self._clean():
            reader = RegionReader(self._genome, 50, 0.1, str(path))
            found = [region.chrom for region in read_regions(path)]
            whole = _windows(reader, read_regions(path), None)
            parts = [window for number in (1, 2, 3) for window in _windows(reader, path, Shard(number, 3))]
            assert parts == whole, "shards differ"
            assert found or not whole

    def fasta(self, data: bytes) -> None:
        """Read sequences in order and by position."""
        path = self._file(data)
        with self._clean():
            for sequence in read_fasta(path):
                assert sequence.name.isprintable() or "\t" not in sequence.name
        for index in path.parent.glob(path.name + ".*"):
            index.unlink()
        with self._clean(), Genome(path) as genome:
            for name, length in genome.lengths.items():
                assert len(genome.fetch(name, 0, length)) == length
                assert "\t" not in name and "\n" not in name and "\0" not in name
            again = Genome(path)
            assert again.lengths == genome.lengths
            again.close()

    def fai(self, data: bytes) -> None:
        """Open a genome with such an index."""
        path = self._folder / "indexed.fa"
        path.write_text("".join(f">{name}\n{bases}\n" for name, bases in GENOME.items()))
        path.with_name("indexed.fa.fai").write_bytes(data)
        with self._clean(), Genome(path) as genome:
            for name, length in genome.lengths.items():
                with suppress(SaresnetError):
                    genome.fetch(name, 0, min(length, 500))

    def vcf(self, data: bytes) -> None:
        """Read variants and place them."""
        from saresnet_cli.variants.alleles import AlleleReader
        from saresnet_cli.variants.reader import VcfReader

        path = self._file(data)
        with self._clean(), VcfReader(path) as variants:
            reader = AlleleReader(self._genome)
            for variant in variants:
                reader.read(variant)
                str(variant)

    def card(self, data: bytes) -> None:
        """Read a card and use it."""
        with self._clean():
            card = Card.from_json(data.decode("utf-8", "replace"))
            assert "\t" not in card.id and "\n" not in card.id
            if card.null is not None:
                card.null.pvalue([-1e9, 0.0, 1e9])  # type: ignore[arg-type]
                card.null.threshold(0.01)

    def model(self, data: bytes) -> None:
        """Read the card of a model file."""
        with self._clean():
            read_card(data, Path("model.onnx"))

    @contextmanager
    def _clean(self) -> Iterator[None]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                yield
        except SaresnetError as error:
            assert "\n" not in " ".join(str(error).split()), error

    def _file(self, data: bytes) -> Path:
        path = self._folder / "input"
        path.write_bytes(data)
        return path


def _windows(reader: RegionReader, regions: object, shard: Shard | None) -> list:
    part, share = share_of(reader, regions, shard, 0)  # type: ignore[arg-type]
    return [
        window
        for chunk in reader.chunks(part, 64, share)
        for window in zip(chunk.about.chrom.tolist(), chunk.about.start.tolist(), strict=True)
    ]


def fuzz(names: list[str], seconds: float, seed: int, examples: int = 300) -> dict[str, int]:
    """Try the parsers in turn for so long; returns how many files each had. Raises what a parser lets through."""
    counts = dict.fromkeys(names, 0)
    end = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder, _quiet():
        parsers = Parsers(Path(folder))
        turn = 0
        while time.monotonic() < end:
            name = names[turn % len(names)]
            parse, strategy = parsers.examples[name]

            def counted(data: bytes, name: str = name, parse: Callable[[bytes], None] = parse) -> None:
                if time.monotonic() < end:
                    counts[name] += 1
                    parse(data)

            _many(counted, strategy, seed + turn, examples)
            turn += 1
    return counts


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library's notices, one a file, to itself."""
    log = logging.getLogger("saresnet")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)


def _many(parse: Callable[[bytes], None], files: st.SearchStrategy[bytes], seed: int, examples: int) -> None:
    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(files)
    def one(data: bytes) -> None:
        parse(data)

    one()


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None, help="default: of the clock")
    parser.add_argument("--parser", action="append", help="only this one; may be repeated")
    given_ = parser.parse_args()
    seed = int(time.time()) if given_.seed is None else given_.seed
    print(f"seed {seed}", file=sys.stderr)
    names = given_.parser or ["bed", "fasta", "fai", "vcf", "card", "model"]
    print(json.dumps({"seed": seed, "seconds": given_.seconds, "files": fuzz(names, given_.seconds, seed)}))


if __name__ == "__main__":
    main()
