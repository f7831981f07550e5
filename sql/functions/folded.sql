-- folded(prompt): lower case without accents, and characters that are words of their own set apart.
-- For a prompt in form NFKC. Accents of Latin and Greek letters go by one table, which holds the
-- letters with a stroke as well; combining accents and enclosing marks, and the vowel signs of Arabic
-- and Hebrew, are dropped, and what then stands side by side may make one character.
regexp_replace(
    nfc_normalize(regexp_replace(
        replace(replace(replace(replace(
            translate(
                lower(prompt),
                'àáâãäåçèéêëìíîïðñòóôõöøùúûüýÿāăąćĉċčďđēĕėęěĝğġģĥħĩīĭįıĵķĺļľłńņňōŏőŕŗřśŝşšţťŧũūŭůűųŵŷźżžơưǎǐǒǔǖǘǚǜǟǡǣǧǩǫǭǯǰǵǹǻǽǿȁȃȅȇȉȋȍȏȑȓȕȗșțȟȧȩȫȭȯȱȳΐάέήίΰςϊϋόύώёḁḃḅḇḉḋḍḏḑḓḕḗḙḛḝḟḡḣḥḧḩḫḭḯḱḳḵḷḹḻḽḿṁṃṅṇṉṋṍṏṑṓṕṗṙṛṝṟṡṣṥṧṩṫṭṯṱṳṵṷṹṻṽṿẁẃẅẇẉẋẍẏẑẓẕẖẗẘẙạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹἀἁἂἃἄἅἆἇἐἑἒἓἔἕἠἡἢἣἤἥἦἧἰἱἲἳἴἵἶἷὀὁὂὃὄὅὐὑὒὓὔὕὖὗὠὡὢὣὤὥὦὧὰὲὴὶὸὺὼᾀᾁᾂᾃᾄᾅᾆᾇᾐᾑᾒᾓᾔᾕᾖᾗᾠᾡᾢᾣᾤᾥᾦᾧᾰᾱᾲᾳᾴᾶᾷῂῃῄῆῇῐῑῒῖῗῠῡῢῤῥῦῧῲῳῴῶῷ',
                'aaaaaaceeeeiiiidnoooooouuuuyyaaaccccddeeeeegggghhiiiiijkllllnnnooorrrsssstttuuuuuuwyzzzouaiouuuuuaaægkooʒjgnaæoaaeeiioorruusthaeooooyιαεηιυσιυουωеabbbcdddddeeeeefghhhhhiikkkllllmmmnnnnoooopprrrrsssssttttuuuuuvvwwwwwxxyzzzhtwyaaaaaaaaaaaaeeeeeeeeiioooooooooooouuuuuuuyyyyααααααααεεεεεεηηηηηηηηιιιιιιιιοοοοοουυυυυυυυωωωωωωωωαεηιουωααααααααηηηηηηηηωωωωωωωωαααααααηηηηηιιιιιυυυρρυυωωωωω'
            ),
            'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'),
        -- Combining accents; then cantillation, vowel signs and tatweel.
        '[\x{300}-\x{36F}\x{1AB0}-\x{1AFF}\x{1DC0}-\x{1DFF}\x{20D0}-\x{20FF}\x{FE20}-\x{FE2F}'
        || '\x{591}-\x{5BD}\x{5BF}\x{5C1}\x{5C2}\x{5C4}\x{5C5}\x{5C7}\x{610}-\x{61A}\x{640}'
        || '\x{64B}-\x{65F}\x{670}\x{6D6}-\x{6DC}\x{6DF}-\x{6E4}\x{6E7}\x{6E8}\x{6EA}-\x{6ED}'
        || '\x{898}-\x{89F}\x{8CA}-\x{8E1}\x{8E3}-\x{8FF}\x{FB1E}]',
        '', 'g'
    )),
    -- By number: an editor that normalises text would make another range of a compatibility
    -- ideograph. Thai and Lao, Burmese, conjoining jamo, Khmer, radicals, marks and numerals, kana,
    -- bopomofo, hangul, ideographs; each with the marks upon it.
    '([\x{E00}-\x{EFF}\x{1000}-\x{109F}\x{1100}-\x{11FF}\x{1780}-\x{17FF}\x{2E80}-\x{2FDF}'
    || '\x{3005}-\x{3007}\x{3021}-\x{3029}\x{3038}-\x{303B}\x{3040}-\x{30FF}\x{3105}-\x{312F}'
    || '\x{3131}-\x{318E}\x{31A0}-\x{31BF}\x{31F0}-\x{31FF}\x{3400}-\x{4DBF}\x{4E00}-\x{9FFF}'
    || '\x{A960}-\x{A97F}\x{A9E0}-\x{A9FF}\x{AA60}-\x{AA7F}\x{AC00}-\x{D7FF}\x{F900}-\x{FAFF}'
    || '\x{20000}-\x{323AF}]\p{M}*)',
    ' \1 ', 'g'
)
