-- nfkc(prompt): the prompt in Unicode's form NFKC, without the characters that cannot be seen.
-- The engine has form NFC alone, and reads no further than a NUL, which is a space here: before it, what cannot be seen (Unicode's property
-- Default_Ignorable_Code_Point) is dropped, and each compatibility character becomes its text.
-- Most prompts are ASCII, and of the others most hold nothing within the first ranges below, in which
-- all such characters are.
case
    when bit_length(prompt) = 8 * length(prompt) then prompt
    when not regexp_matches(
        prompt,
        '[\x{A0}\x{A8}\x{AA}\x{AD}\x{AF}\x{B2}-\x{B5}\x{B8}-\x{BE}\x{132}-\x{140}\x{149}\x{17F}'
        || '\x{1C4}-\x{1F3}\x{2B0}-\x{385}\x{3D0}-\x{3F9}\x{587}\x{61C}\x{675}-\x{678}\x{E33}'
        || '\x{EB3}-\x{F79}\x{10FC}\x{115F}\x{1160}\x{17B4}\x{17B5}\x{180B}-\x{180F}\x{1D2C}-\x{1DBF}'
        || '\x{1E9A}\x{1E9B}\x{1FBD}-\x{2011}\x{2017}\x{2024}-\x{2189}\x{222C}-\x{2230}\x{2460}-\x{24EA}'
        || '\x{2A0C}-\x{2A76}\x{2C7C}\x{2C7D}\x{2D6F}\x{2E9F}-\x{3000}\x{3036}-\x{303A}\x{309B}-\x{309F}'
        || '\x{30FF}\x{3131}-\x{319F}\x{3200}-\x{33FF}\x{A69C}-\x{AB69}\x{FB00}-\x{1F251}'
        || '\x{1FBF0}-\x{1FBF9}\x{E0000}-\x{E0FFF}]'
    ) then nfc_normalize(replace(prompt, chr(0), ' '))
    else nfc_normalize(list_reduce(
        list_prepend(
            regexp_replace(
                replace(prompt, chr(0), ' '),
                '[\x{AD}\x{34F}\x{61C}\x{115F}\x{1160}\x{17B4}\x{17B5}\x{180B}-\x{180F}\x{200B}-\x{200F}'
                || '\x{202A}-\x{202E}\x{2060}-\x{206F}\x{3164}\x{FE00}-\x{FE0F}\x{FEFF}\x{FFA0}'
                || '\x{FFF0}-\x{FFF8}\x{1BCA0}-\x{1BCA3}\x{1D173}-\x{1D17A}\x{E0000}-\x{E0FFF}]',
                '', 'g'
            ),
            list_filter(
                list_distinct(regexp_extract_all(prompt, '[^\x00-\x7F]')),
                lambda sign: contains(compatibility_table(), '¶' || sign)
            )
        ),
        lambda text, sign: replace(
            text, sign, split_part(split_part(compatibility_table(), '¶' || sign, 2), '¶', 1)
        )
    ))
end
