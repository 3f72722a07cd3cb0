//! axe-core, which looks for what keeps people from using a page. Its file is for tests alone, and is in no program.

use serde_json::Value;

use crate::browser::Browser;
use crate::look::Look;

/// axe-core 4.14.1 as its package has it; its licence stands beside it.
const AXE: &str = include_str!("axe/axe.min.js");

/// Every rule of WCAG 2.2 to AA and of good practice; what is serious or worse comes back.
const RUN: &str = "
return axe.run(document, { resultTypes: ['violations'] }).then((found) =>
  found.violations
    .filter((one) => one.impact === 'serious' || one.impact === 'critical')
    .map((one) => one.id + ': ' + one.help + ' — ' + one.nodes.slice(0, 3).map((node) => node.html).join(' | '))
);
";

impl Browser {
    /// Fails if axe finds something serious on the page as it is shown, in either theme, wide or narrow.
    pub(crate) fn is_accessible(&self, name: &str) {
        for look in Look::all().filter(|look| look.width != 768) {
            self.look(look);
            let is_there = self.run("return !!window.axe", &[]);
            if is_there != Value::Bool(true) {
                self.run(AXE, &[]);
            }
            let found = self.run(RUN, &[]);
            assert_eq!(found, Value::Array(vec![]), "{name} in {}", look.name());
        }
        self.look(Look::USUAL);
    }
}
