//! The page of every error code, compiled in: what happened, why, and what to do.

macro_rules! pages {
    ($($code:ident)*) => {
        &[$((stringify!($code), include_str!(concat!("../errors/", stringify!($code), ".md")))),*]
    };
}

/// Every code with its page.
pub(crate) const PAGES: &[(&str, &str)] = pages![
    PH1001 PH1002 PH1003 PH1004 PH1005 PH1006 PH1007 PH1008 PH1009 PH1010 PH1011 PH1012 PH1013
    PH1014 PH1015 PH1016 PH1017 PH1018 PH1031 PH1032 PH1033 PH1034 PH1035
    PH1101 PH1102 PH1103 PH1104 PH1105 PH1106 PH1107 PH1108 PH1109 PH1110 PH1111 PH1112 PH1113
    PH1201 PH1202 PH1203 PH1204 PH1205 PH1206 PH1207 PH1208 PH1209 PH1210 PH1211 PH1212 PH1213
    PH1214 PH1215 PH1216 PH1217 PH1218 PH1219
    PH1301 PH1302 PH1303 PH1304 PH1305 PH1306 PH1307 PH1308 PH1309
    PH1310 PH1311 PH1312 PH1313 PH1314 PH1315 PH1316 PH1317 PH1318 PH1319
    PH1320 PH1321 PH1323 PH1324 PH1325 PH1326 PH1327 PH1328 PH1329
    PH1330
    PH1340 PH1341 PH1342 PH1343 PH1344
    PH1401 PH1402 PH1403 PH1404 PH1405 PH1406 PH1410
];

/// The page of `code`, if there is one.
pub(crate) fn page(code: &str) -> Option<&'static str> {
    PAGES.iter().find(|(known, _)| *known == code).map(|(_, text)| *text)
}

/// What `code` means in a few words: its page's heading without the code.
pub(crate) fn title(code: &str) -> &'static str {
    let heading = page(code).and_then(|text| text.lines().next()).unwrap_or_default();
    heading.split_once(": ").map_or("Something went wrong", |(_, title)| title)
}

#[cfg(test)]
mod tests {
    use super::{PAGES, page, title};
    use crate::codes::Code;
    use posthouse_wire::stomp::DecodeErrorKind;

    #[test]
    fn every_code_has_a_page_of_the_same_shape() {
        let own = Code::ALL.map(Code::as_str).into_iter();
        for code in own.chain(DecodeErrorKind::ALL.map(DecodeErrorKind::code)) {
            assert!(page(code).is_some(), "{code} has no page");
        }
        for (code, text) in PAGES {
            assert!(text.starts_with(&format!("# {code}: ")), "{code} has no heading");
            assert!(!title(code).is_empty(), "{code}");
            for part in ["\n## What happened\n", "\n## Why\n", "\n## What to do\n"] {
                assert!(text.contains(part), "{code} lacks {part:?}");
            }
        }
    }
}
