"""What is read from /proc."""

from __future__ import annotations

import os
import sys

from bench.processes import command_line, wake_ups, wake_ups_of_status


def test_the_wake_ups_of_a_thread() -> None:
    assert wake_ups_of_status("Threads:\t1\nvoluntary_ctxt_switches:\t12\nnonvoluntary_ctxt_switches:\t3\n") == 12


def test_a_process_is_known_by_its_arguments() -> None:
    assert wake_ups(os.getpid()) > 0
    assert sys.orig_argv[1:] == command_line(os.getpid())[1:]
