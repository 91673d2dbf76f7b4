"""An extension of the Chaos Toolkit: faults as actions, and what should hold meanwhile as probes.

Experiments name the functions of ``paydrill.chaostoolkit.actions`` and ``paydrill.chaostoolkit.probes`` with
``provider: {type: python, module, func, arguments}``. They call running mocks, proxies and the platform over
HTTP only, and stand on the standard library alone: where the Chaos Toolkit runs, paydrill has to be
importable, but what it requires does not have to be installed. ``docs/chaos-experiment.json`` is an example.

The experiment's configuration says where the servers are: ``paydrill_admin`` (URLs of admin interfaces) and
``paydrill_platform``; both have defaults, see ``paydrill.chaostoolkit.servers``. An admin interface that
demands a token gets the one of the secrets that an activity names::

    "secrets": {"paydrill": {"admin_token": {"type": "env", "key": "PAYDRILL_ADMIN_TOKEN"}}}
    "provider": {"type": "python", ..., "secrets": ["paydrill"]}
"""
