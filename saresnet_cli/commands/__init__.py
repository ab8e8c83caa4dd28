"""The subcommands of `saresnet`, a file each: they parse, call the library, and print."""
