"""Medians, ranges and one line a figure."""

import sys


def quantile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def median(values):
    return quantile(values, 0.5)


def seconds(values):
    return f"{median(values):7.2f} s  ({min(values):.2f} to {max(values):.2f})"


def milliseconds(values):
    ms = [value * 1e3 for value in values]
    return f"p50 {median(ms):7.1f} ms  p99 {quantile(ms, 0.99):7.1f} ms  (from {min(ms):.1f}, {len(ms)} times)"


def line(name, text):
    print(f"  {name:<42} {text}")
    sys.stdout.flush()


def title(text):
    print(f"\n{text}")
    sys.stdout.flush()


def ratio(ours, theirs):
    """Of two rounds that ran side by side each: their ratios, for a busy minute hits both."""
    ratios = [a / b for a, b in zip(ours, theirs)]
    return f"{median(ratios):.2f}  ({min(ratios):.2f} to {max(ratios):.2f})"
