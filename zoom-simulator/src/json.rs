//! JSON objects without the panics that indexing brings.

use serde_json::Value;

static NULL: Value = Value::Null;

/// Fields of an object by name; what is no object has none.
pub(crate) trait Fields {
    /// The field, or null.
    fn field(&self, name: &str) -> &Value;
    /// The field's text, or nothing.
    fn text(&self, name: &str) -> &str;
    /// Sets the field.
    fn put(&mut self, name: &str, value: impl Into<Value>);
    /// Objects are joined field by field, anything else is replaced.
    fn lay_over(&mut self, change: Value);
}

impl Fields for Value {
    fn field(&self, name: &str) -> &Value {
        self.get(name).unwrap_or(&NULL)
    }

    fn text(&self, name: &str) -> &str {
        self.field(name).as_str().unwrap_or_default()
    }

    fn put(&mut self, name: &str, value: impl Into<Self>) {
        if let Some(fields) = self.as_object_mut() {
            fields.insert(name.to_owned(), value.into());
        }
    }

    fn lay_over(&mut self, change: Self) {
        match (self, change) {
            (Self::Object(own), Self::Object(change)) => {
                for (name, value) in change {
                    own.entry(name).or_insert(Self::Null).lay_over(value);
                }
            }
            (own, change) => *own = change,
        }
    }
}
