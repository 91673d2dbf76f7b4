"""An extension of the Chaos Toolkit: faults as actions, and what should hold meanwhile as probes.

Experiments name the functions of ``paydrill.chaostoolkit.actions`` and ``paydrill.chaostoolkit.probes`` with
``provider: {type: python, module, func, arguments}``. They call running mocks, proxies and the platform over
HTTP only, and stand on the standard library alone: where the Chaos Toolkit runs, paydrill has to be
importable, but what it requires does not have to be installed.
"""
