"""The same night written as a competent user of another tool would write it: one module a tool, each run as a process of its own.

Here belongs what the tools are given and asked for. What the pipeline does beyond it (checks, versions, reruns, causes) is left out.
"""
