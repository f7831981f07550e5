-- sampler_name(sampler): the name behind a sampler's number, as published.
case sampler
    when 1 then 'ddim'
    when 2 then 'plms'
    when 3 then 'k_euler'
    when 4 then 'k_euler_ancestral'
    when 5 then 'k_heun'
    when 6 then 'k_dpm_2'
    when 7 then 'k_dpm_2_ancestral'
    when 8 then 'k_lms'
    when 9 then 'others'
end
