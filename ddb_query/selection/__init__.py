"""Selection: a set of images, from criteria to a file. `selection` holds the public object."""
