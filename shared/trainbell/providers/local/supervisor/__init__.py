"""The small process that starts one command, sees its end and writes it down.

Run in a fresh interpreter (`python -I -S`, see `launching`) with the order as JSON on its standard
input, it answers one line of JSON on its standard output: `{"outcome": "launched" | "taken" |
"rejected" | "busy" | "unavailable" | "unclear", "message": …}`. It uses the standard library only
and knows nothing of Trainbell, so that whatever happens to Trainbell does not happen to the
command. No pathlib here, nor typing: those alone would make every supervisor bigger by half.

The order of writes is the promise (files in the run directory):

1. `lock`: an exclusive flock, inherited by the command. While it is held, something of this run
   lives; no reused process id can fake that, and it needs nobody to give it back.
2. `control`: the pipe on which a cancel arrives.
3. `launch.json`, created exclusively: from here on the run counts as started, for ever.
4. The command starts, in a process group of its own.
5. `process.json`: its process id and what tells it from a later process with the same id.
6. After a cancel, `survivors.json` while something of the run does not die.
7. `exit.json`, put in place whole: exit code or signal, times, whether we stopped it, and what
   outlived it. After a cancel it is written only once nothing of the run lives.

A death before 3 leaves a run that can be started again; a death after it, one that never is.

| module | what |
|---|---|
| `main` | the order, and the steps above |
| `claiming` | steps 1 to 3, and GPUs |
| `commanding` | steps 4 to 6 |
| `processes` | who lives, and signals that reach nobody else |
| `output` | standard error into the log, and the log kept within its cap |
| `records` | files that are whole or not there |
| `kernel` | the three system calls that Python lacks |
"""
