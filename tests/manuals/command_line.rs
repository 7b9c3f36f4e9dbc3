//! What a page says of a command line, from the command line itself.

use clap::Command;
use clap_mangen::Man;

use crate::roff::{bold, escaped, example, italic, sentence};

/// One line for the program alone, if it does anything alone, and one for each command.
pub(crate) fn synopsis(program: &Command) -> String {
    let alone = (!program.is_subcommand_required_set()).then(|| program.clone());
    let lines: Vec<_> = alone.into_iter().chain(commands_of(program)).map(|command| usage(&command)).collect();
    format!("{}\n", lines.join("\n.br\n"))
}

/// What the program takes, whatever the command.
pub(crate) fn options(program: Command) -> String {
    rendered(&Man::new(program))
}

/// All commands: what each does, its options, and its own remarks.
pub(crate) fn commands(program: &Command) -> String {
    commands_of(program).map(|command| described(&command)).collect()
}

/// The commands, by the names that are written on the command line. The built-in ones are known to everybody.
fn commands_of(program: &Command) -> impl Iterator<Item = Command> {
    program.get_subcommands().map(|command| {
        let name = format!("{} {}", program.get_name(), command.get_name());
        command.clone().bin_name(name).disable_help_flag(true)
    })
}

fn usage(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    // Another line is for the commands.
    let usage = usage.lines().next().unwrap_or_default().trim_start_matches("Usage: ");
    let name = command.get_bin_name().unwrap_or(command.get_name());
    let arguments = usage.strip_prefix(name).expect("the program's name").split_whitespace();
    let arguments: String = arguments.map(|argument| format!(" {}", argument_of(argument))).collect();
    format!("{}{arguments}", bold(name))
}

/// An argument as `render_usage` has it: an option, `<VALUE>`, or either in brackets.
fn argument_of(written: &str) -> String {
    let (written, [before, after]) = match written.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => (inner, ["[", "]"]),
        None => (written, ["", ""]),
    };
    let shown = match written.trim_matches(['<', '>']) {
        "OPTIONS" => italic("options"),
        option if option.starts_with('-') => bold(option),
        value => italic(value),
    };
    format!("{before}{shown}{after}")
}

/// Whether the command's own help says what its exit status means.
pub(crate) fn tells_exit_status(command: &Command) -> bool {
    command.clone().render_long_help().to_string().to_lowercase().contains("exit status")
}

fn described(command: &Command) -> String {
    let name = bold(command.get_bin_name().unwrap_or_default());
    let about = command.get_long_about().or_else(|| command.get_about()).map(ToString::to_string);
    let about = paragraphs(&about.unwrap_or_default());
    // The heading has begun a paragraph.
    let about = about.trim_start_matches(".PP\n");
    let remarks = command.get_after_long_help().or_else(|| command.get_after_help()).map(ToString::to_string);
    let remarks = paragraphs(&remarks.unwrap_or_default());
    let options = rendered(&Man::new(command.clone().disable_version_flag(true)));
    format!(".SS {name}\n{about}{options}{remarks}")
}

/// The options of a command, without the heading.
fn rendered(man: &Man) -> String {
    let mut text = Vec::new();
    man.render_options_section(&mut text).expect("memory");
    let text = String::from_utf8(text).expect("text");
    let Some((_, options)) = text.split_once(".SH OPTIONS\n") else { return String::new() };
    // Before possible values there is a blank line, which is not for filled text.
    options.replace(".br\n\n.br\n", ".br\n").replace("\\*(Aq", "\\(aq")
}

/// Paragraphs of help: those of indented lines stay as they are.
fn paragraphs(text: &str) -> String {
    let mut paragraphs = String::new();
    for paragraph in text.split("\n\n") {
        let mut lines = paragraph.lines().peekable();
        let words: Vec<_> = std::iter::from_fn(|| lines.next_if(|line| !line.starts_with(' '))).collect();
        if !words.is_empty() {
            paragraphs += &format!(".PP\n{}\n", escaped(&sentence(&words.join(" "))));
        }
        if lines.peek().is_some() {
            paragraphs += &example(lines);
        }
    }
    paragraphs
}
