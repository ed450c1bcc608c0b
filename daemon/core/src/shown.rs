//! Which characters of a name can be seen. Must not know whose name it is.

use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};

/// What joins or parts letters of scripts that need it, and what makes a sign an emoji.
const JOINERS: [char; 3] = ['\u{200c}', '\u{200d}', '\u{fe0f}'];

/// A sign of Braille without dots.
const BLANK: char = '\u{2800}';

/// Whether all of `text` can be seen and stands where it is written: no control characters, none that turn the direction,
/// part lines or are not shown at all. Joiners may stand behind other than ASCII characters: Persian needs them, and emoji.
///
/// Source: Unicode's `Default_Ignorable_Code_Point` and general categories.
pub fn is_shown(text: &str) -> bool {
    only_shown(text) == text
}

/// `text` without what [`is_shown`] does not allow.
pub fn only_shown(text: &str) -> String {
    text.chars().fold(String::new(), |mut kept, c| {
        if stands(kept.chars().next_back().unwrap_or(' '), c) {
            kept.push(c);
        }
        kept
    })
}

fn stands(before: char, c: char) -> bool {
    if JOINERS.contains(&c) {
        return !before.is_ascii() && !JOINERS.contains(&before) || (before, c) == ('\u{fe0f}', '\u{200d}');
    }
    let hidden = matches!(
        CodePointMapData::<GeneralCategory>::new().get(c),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
            | GeneralCategory::PrivateUse
            | GeneralCategory::Unassigned
    );
    !hidden && c != BLANK && !CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_people_write_them_are_shown() {
        for name in
            ["grandma's phone", "Żółć", "祖母", "خانه‌ی ما", "👨‍👩‍👧 we", "❤️", "❤️‍🔥", "हिन्दी", "2 kg – 50 %"]
        {
            assert!(is_shown(name), "{name:?}");
            assert_eq!(only_shown(name), name);
        }
    }

    #[test]
    fn what_is_not_seen_or_turns_the_rest_around_is_not_shown() {
        let hidden = [
            '\0',
            '\n',
            '\u{7f}',
            '\u{85}',
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{180e}',
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{200e}',
            '\u{202e}',
            '\u{2028}',
            '\u{2029}',
            '\u{2060}',
            '\u{2066}',
            '\u{2800}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{fff9}',
            '\u{e000}',
            '\u{e0041}',
            '\u{ffff}',
        ];
        for c in hidden {
            let name = format!("mum{c}my");
            assert!(!is_shown(&name), "{name:?}");
            assert_eq!(only_shown(&name), "mummy");
        }
        assert!(!is_shown("\u{200d}a"));
        assert!(!is_shown("家\u{200c}\u{200c}"), "two that look like one");
    }
}
