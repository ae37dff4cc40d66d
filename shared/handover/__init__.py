"""What advisory asks of a service at the joint office: to take matters over, to tell what it has, to count its work.

A matter that is handed over is confirmed when it stands in the service's own store, and again when an officer accepts
or rejects it: until then whoever handed it over has it still. The service that owns a matter decides what an authority
may see of it. Any service takes part by its name and its `Answers`.
"""
