-- The images of the selection, without what no section reads: names take the most room.
select * exclude (image_name, sampler_name, part_path)
from selection
