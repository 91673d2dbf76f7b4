"""One load played by several Locust processes, on one machine or on many.

The master plays nothing. It deals the arrivals to the workers and deals them anew when one joins or is gone,
collects the journal that they ship to it, and reckons how their clocks stand to its own. Everything goes by
Locust's own messages, which are neither encrypted nor authenticated: only in a private network.
"""
