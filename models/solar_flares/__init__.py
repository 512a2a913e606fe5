"""Solar flares: records of magnetic field, forms of input, networks and their upgrade."""
