"""Run, resume, extend, finalize and plan sweeps; run studies."""
