import os

# Many small products a message: two threads a product wait for each other longer than they work. Read when NumPy loads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
