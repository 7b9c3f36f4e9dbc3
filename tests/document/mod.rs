//! Documents whose blocks of code are tried by tests.
//!
//! A block of code that starts with a comment is called what the comment says: a path, if it is a file, else what its
//! commands are for. A name counts within its section.

/// The text of a document.
#[derive(Clone, Copy)]
pub(crate) struct Document(pub(crate) &'static str);

impl Document {
    /// The commands of a block, with these variables set.
    #[track_caller]
    pub(crate) fn script(self, section: &str, name: &str, variables: &str) -> String {
        format!("{variables}\n{}", self.text(section, name))
    }

    /// A block as it is written.
    #[track_caller]
    pub(crate) fn text(self, section: &str, name: &str) -> String {
        let found = self.blocks(section).into_iter().find(|(known, _)| known == name);
        found.unwrap_or_else(|| panic!("the document has no block {name:?} under {section:?}")).1
    }

    /// The named blocks of a section: name and text. Words end a block, and so does the name of the next.
    #[track_caller]
    pub(crate) fn blocks(self, section: &str) -> Vec<(String, String)> {
        let section = self.0.split("\n## ").find(|text| text.lines().next() == Some(section));
        let mut blocks: Vec<(String, String)> = Vec::new();
        let (mut is_open, mut before) = (false, "");
        for line in section.expect("a section of the document").lines() {
            let code = line.strip_prefix("    ");
            if let Some(name) = code.and_then(|code| code.strip_prefix("# ")).filter(|_| before.is_empty()) {
                blocks.push((name.to_owned(), String::new()));
                is_open = true;
            } else if code.is_none() && !line.is_empty() {
                is_open = false;
            } else if is_open {
                let text = &mut blocks.last_mut().unwrap().1;
                *text += code.unwrap_or_default();
                text.push('\n');
            }
            before = line;
        }
        blocks
    }
}
