"""The commands of bench by name, each with its sentence; data only."""

COMMANDS = {
    "demo": "A method that learns beside its floors: the first thing to run.",
    "run": "Run a method under a protocol: fit, predict, score, record.",
    "sweep": "Run a study: many methods, settings, protocols and seeds.",
    "score": "Score predictions that were made elsewhere.",
    "method": "Create a method of your own, and check it against the contract.",
    "ls": "List methods, protocols, data sets or runs.",
    "show": "Show a protocol, a method or a run in full.",
    "data": "Download, prepare and verify data sets.",
    "board": "Print the leaderboards, write their tables, build the site.",
    "compare": "Compare two rows of a board on the same test items.",
    "curves": "Overlay the training curves of runs.",
    "predict": "Run a fitted method on pictures of your own.",
    "verify": "Recompute identity, digests and numbers of records.",
    "rescore": "Score stored predictions again after a metric was corrected.",
    "record": "Withdraw, annotate, drop or import records.",
    "doctor": "Check environment, accelerator, disk, data and plugins.",
    "plugins": "List the installed plugins and what each brings.",
    "protocol": "Check, compare, describe and freeze protocols.",
    "completion": "Print the line that enables tab completion.",
}
