"""Lists of images as people have them; `reading` takes any of them."""
