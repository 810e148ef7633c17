//! The consent page: one form, no scripts, nothing from elsewhere.

use super::consent::may_install;
use crate::{
    config::AppKind,
    world::{App, User},
};

const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1b2430;--soft:#5b6776;--line:#d9dfe7;--back:#f4f6f9;--card:#fff;--blue:#0b5cff}
@media(prefers-color-scheme:dark){:root{--ink:#e8edf4;--soft:#9aa7b6;--line:#2c3947;--back:#0f151d;--card:#17202b;--blue:#5b8dff}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;background:var(--back);color:var(--ink);
 font:16px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif}
main{width:100%;max-width:29rem;background:var(--card);border:1px solid var(--line);border-radius:14px;padding:2rem}
h1{font-size:1.3rem;line-height:1.3;margin:0 0 .3rem}p{margin:0 0 1.2rem;color:var(--soft)}
fieldset{border:0;margin:0 0 1.4rem;padding:0}legend{padding:0;font-weight:600;margin-bottom:.5rem}
label{display:flex;gap:.7rem;align-items:center;padding:.65rem .8rem;border:1px solid var(--line);border-radius:10px;margin-bottom:.5rem}
label:has(:checked){border-color:var(--blue)}label:has(:disabled){opacity:.55}
small{display:block;color:var(--soft)}
ul{margin:0 0 1.4rem;padding:0;list-style:none;font:13px/1.7 ui-monospace,monospace;color:var(--soft)}
.actions{display:flex;gap:.7rem;justify-content:flex-end}
button{font:inherit;font-weight:600;padding:.6rem 1.3rem;border-radius:10px;border:1px solid var(--line);background:none;color:inherit;cursor:pointer}
button.yes{background:var(--blue);border-color:var(--blue);color:#fff}
button:focus-visible,input:focus-visible{outline:3px solid var(--blue);outline-offset:2px}
footer{margin-top:1.6rem;font-size:.85rem;color:var(--soft)}";

/// Where a consent page sends its answer.
pub(super) struct Form<'a> {
    pub(super) action: &'a str,
    /// Comes back with the form.
    pub(super) request: &'a str,
    /// Whether members may consent to account-wide apps.
    pub(super) anybody: bool,
}

/// The page for a request that was checked.
pub(super) fn render(app: &App, users: &[User], form: &Form<'_>) -> String {
    let users: Vec<&User> = users.iter().filter(|user| user.active()).collect();
    let allowed = |user: &User| may_install(app, user, form.anybody);
    let first = users.iter().position(|user| allowed(user));
    let choices: String = users
        .iter()
        .enumerate()
        .map(|(at, user)| choice(user, allowed(user), first == Some(at)))
        .collect();
    let scopes: String = app
        .scopes
        .iter()
        .filter(|scope| !app.optional_scopes.contains(scope))
        .map(|scope| format!("<li>{}</li>", escape(scope)))
        .collect();
    let wide = match app.kind {
        AppKind::UserManaged => "your own Zoom account",
        _ => "every user of your Zoom account",
    };
    let title = format!("{} asks for access to {wide}", app.name);
    document(
        &title,
        &format!(
            "<p>Choose who you are and whether you allow it.</p>\
             <form method=\"post\" action=\"{action}\"><input type=\"hidden\" name=\"request\" value=\"{request}\">\
             <fieldset><legend>Signed in as</legend>{choices}</fieldset>{optional}\
             <details open><summary>It will be able to use</summary><ul>{scopes}</ul></details>\
             <div class=\"actions\"><button name=\"decision\" value=\"deny\">Deny</button>\
             <button class=\"yes\" name=\"decision\" value=\"allow\">Allow</button></div></form>",
            action = escape(form.action),
            request = escape(form.request),
            optional = optional(app),
        ),
    )
}

/// A page that says something and goes nowhere.
pub(super) fn notice(title: &str, text: &str) -> String {
    document(title, &format!("<p>{}</p>", escape(text)))
}

/// A page that asks for the code a device shows.
pub(super) fn ask_code(action: &str) -> String {
    document(
        "Enter the code your device shows",
        &format!(
            "<form method=\"get\" action=\"{}\"><p><label>Code <input name=\"user_code\" required></label></p>\
             <div class=\"actions\"><button class=\"yes\">Continue</button></div></form>",
            escape(action)
        ),
    )
}

/// `body` is markup; the title is text.
fn document(title: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>{title}</title>\
         <style>{STYLE}</style></head><body><main><h1>{title}</h1>{body}\
         <footer>A simulated Zoom on this machine. Nothing leaves it.</footer></main></body></html>\n",
    )
}

fn choice(user: &User, allowed: bool, checked: bool) -> String {
    let note = match (allowed, user.licensed()) {
        (false, _) => "must ask an admin",
        (true, true) => "Licensed",
        (true, false) => "Basic",
    };
    format!(
        "<label><input type=\"radio\" name=\"user\" value=\"{id}\" required{checked}{disabled}>\
         <span>{name}<small>{email} · {note}</small></span></label>",
        id = escape(&user.id),
        checked = if checked { " checked" } else { "" },
        disabled = if allowed { "" } else { " disabled" },
        name = escape(&user.display_name()),
        email = escape(&user.email),
    )
}

fn optional(app: &App) -> String {
    if app.optional_scopes.is_empty() {
        return String::new();
    }
    let boxes: String = app
        .optional_scopes
        .iter()
        .map(|scope| {
            let scope = escape(scope);
            format!(
                "<label><input type=\"checkbox\" name=\"optional_scope\" value=\"{scope}\" checked><span>{scope}</span></label>"
            )
        })
        .collect();
    format!("<fieldset><legend>If you like</legend>{boxes}</fieldset>")
}

fn escape(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut out, c| {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                '\'' => out.push_str("&#39;"),
                c => out.push(c),
            }
            out
        })
}
