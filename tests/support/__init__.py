"""The test lab: real images, real registries and clients, a hostile upstream and the daemon under test.

Everything listens on loopback or inside namespaces of its own, on ports the kernel picked, and is
freed when its object is closed. Standard library only.
"""
