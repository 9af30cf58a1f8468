//! Shapes in which people, models and tools name packages.

use super::{super::*, shown};

const SHAPES: &str = include_str!("shapes.txt");

struct Shape {
    file: String,
    text: String,
    expected: Vec<String>,
}

impl Shape {
    fn read(case: &str) -> Self {
        let (file, rest) = case.split_once('\n').unwrap();
        let (text, expected) = rest.rsplit_once("\n---").unwrap();
        let crlf = file.strip_suffix(" (crlf)");
        let text = format!("{text}\n");
        Self {
            file: crlf.unwrap_or(file).to_owned(),
            text: match crlf {
                Some(_) => text.replace('\n', "\r\n"),
                None => text,
            },
            expected: expected.trim_start().lines().map(str::to_owned).collect(),
        }
    }

    /// What is found: the package, how it is named, and the name as it stands in the text.
    fn found(&self) -> Vec<String> {
        let mentions = file(&self.file, self.text.as_bytes());
        let names = mentions.clone().into_iter().map(|mention| mention.range);
        let names = names.map(|range| self.text.get(range).unwrap());
        let said = shown(&self.text, mentions.clone());
        said.iter()
            .zip(names)
            .map(|(said, name)| format!("{said} {name}"))
            .collect()
    }
}

fn shapes() -> Vec<Shape> {
    let cases = SHAPES.split("\n=== ").skip(1);
    cases
        .map(|case| Shape::read(case.trim_end_matches('\n')))
        .collect()
}

#[test]
fn packages_are_found_in_all_their_shapes() {
    let shapes = shapes();
    assert!(shapes.len() > 600, "{}", shapes.len());
    let mut wrong = String::new();
    for shape in shapes {
        let found = shape.found();
        if found != shape.expected {
            let Shape {
                file,
                text,
                expected,
            } = shape;
            wrong += &format!("{file}\n{text}\nfound {found:#?}\nnot {expected:#?}\n\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Whatever comes after a shape, nothing before it moves; and whatever is cut off, nothing panics.
#[test]
fn shapes_in_pieces_have_their_places() {
    for shape in shapes() {
        for (at, _) in shape.text.char_indices().step_by(7) {
            let piece = shape.text.get(..at).unwrap();
            for mention in file(&shape.file, piece.as_bytes()) {
                assert!(
                    piece.get(mention.range.clone()).is_some(),
                    "{piece} {mention:?}"
                );
            }
        }
    }
}
