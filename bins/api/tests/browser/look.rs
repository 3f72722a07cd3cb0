//! How the window looks: its width and its theme.

use serde_json::json;

use crate::browser::Browser;

/// A width and a theme.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    pub(crate) width: u32,
    pub(crate) theme: &'static str,
}

/// The tallest picture of a page.
const MOST_HEIGHT: u64 = 2_400;

impl Look {
    /// A wide screen, in the dark.
    pub(crate) const USUAL: Self = Self {
        width: 1440,
        theme: "dark",
    };

    /// Every look that is looked at.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let themes = ["dark", "light"].into_iter();
        themes.flat_map(|theme| [360, 768, 1440].map(|width| Self { width, theme }))
    }

    /// Its name among pictures.
    pub(crate) fn name(self) -> String {
        format!("{}-{}", self.theme, self.width)
    }
}

impl Browser {
    /// Shows pages in this look from now on.
    pub(crate) fn look(&self, look: Look) {
        self.resize(look.width, 900);
        let theme = json!({"features": [{"name": "prefers-color-scheme", "value": look.theme}]});
        self.order("Emulation.setEmulatedMedia", &theme);
    }

    fn resize(&self, width: u32, height: u64) {
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.order("Emulation.setDeviceMetricsOverride", &size);
    }

    /// A picture of the whole page in every look. Nothing of a page lies beside a narrow screen.
    pub(crate) fn photograph_in_every_look(&self, name: &str) {
        for look in Look::all() {
            self.look(look);
            let size = "return [document.documentElement.scrollWidth, document.documentElement.scrollHeight]";
            let size = self.run(size, &[]);
            let (width, height) = (size[0].as_u64(), size[1].as_u64());
            assert!(
                width.is_some_and(|width| width <= u64::from(look.width)),
                "{name} is {width:?} wide in {}",
                look.name()
            );
            let height = height.unwrap_or(900).clamp(600, MOST_HEIGHT);
            self.resize(look.width, height);
            self.photograph(&format!("{name}-{}", look.name()));
        }
        self.look(Look::USUAL);
    }
}
