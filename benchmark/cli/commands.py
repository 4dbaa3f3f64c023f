"""The commands of bench by name, each with its sentence; data only."""

COMMANDS = {
    "demo": "LEAD and its floors in a few minutes: the first thing to run.",
    "run": "Run a method under a protocol: fit, predict, score, record.",
    "score": "Score predictions that were made elsewhere.",
    "method": "Begin a method of your own, and check that it keeps the contract.",
    "ls": "List methods, protocols, data sets or runs.",
    "show": "Show a protocol, a method or a run in full.",
    "data": "Get, prepare and verify data sets.",
    "board": "Print the leaderboards, write their tables, build the site.",
    "compare": "Compare two rows of a board on the same test items.",
    "curves": "Lay training curves of runs over one another.",
    "predict": "Predict pictures of your own with a fitted method.",
    "verify": "Recompute identity, digests and numbers of records.",
    "rescore": "Score kept predictions again after a metric was corrected.",
    "record": "Withdraw, annotate or take in records.",
    "doctor": "Check environment, accelerator, disk, data and plugins.",
    "plugins": "List the installed plugins and what each brings.",
    "protocol": "Check, compare, describe and freeze protocols.",
    "completion": "Print the line that switches tab completion on.",
}
