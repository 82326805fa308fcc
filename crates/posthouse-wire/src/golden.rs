//! The notation of the golden files under `testdata/`, shared by the tests that read them.
//!
//! A case is a paragraph: `== title`, the bytes as they stand on the wire, `--`, and what is to
//! come of them, one line each. Bytes that cannot be seen are written `␀` (NUL), `␍` (carriage
//! return) and `⟪ff⟫` (any byte in hexadecimal); a line feed is one.

/// One case of a golden file.
#[derive(Clone, Debug)]
pub struct Golden {
    /// What the case shows.
    pub title: String,
    /// The bytes on the wire.
    pub input: Vec<u8>,
    /// What is to come of them.
    pub expected: String,
}

/// Reads a golden file. A paragraph without its `--` line expects nothing.
pub fn golden_cases(file: &str) -> Vec<Golden> {
    file.split("== ").skip(1).map(golden_case).collect()
}

fn golden_case(paragraph: &str) -> Golden {
    let (title, rest) = paragraph.split_once('\n').unwrap_or((paragraph, ""));
    let (input, expected) = rest.split_once("\n--\n").unwrap_or((rest, ""));
    Golden {
        title: title.to_owned(),
        input: wire_bytes(input),
        expected: expected.trim_end().to_owned(),
    }
}

/// The bytes that a text in golden notation stands for.
pub fn wire_bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let text = text.replace('␀', "\0").replace('␍', "\r");
    let mut pieces = text.split('⟪');
    bytes.extend_from_slice(pieces.next().unwrap_or_default().as_bytes());
    for piece in pieces {
        let (byte, rest) = piece.split_once('⟫').unwrap_or_default();
        bytes.extend(u8::from_str_radix(byte, 16));
        bytes.extend_from_slice(rest.as_bytes());
    }
    bytes
}
