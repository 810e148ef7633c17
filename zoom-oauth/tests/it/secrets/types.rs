//! Types that hold a secret have no way to be printed, compared or written out by mistake.

use std::fmt::Display;

use serde::Serialize;
use static_assertions::assert_not_impl_any;
use zoom_core::{AccessToken, DownloadToken, Passcode, StartUrl, StaticToken};
use zoom_oauth::{
    App, Authorization, AuthorizeRequest, Callback, ClientSecret, Parked, ServerToServerBuilder,
    SessionBinding,
};

assert_not_impl_any!(AccessToken: Display, PartialEq, Serialize, Copy, AsRef<str>, Into<String>);
assert_not_impl_any!(DownloadToken: Display, PartialEq, Serialize, Copy, AsRef<str>, Into<String>);
assert_not_impl_any!(Passcode: Display, PartialEq, Serialize, Copy, AsRef<str>, Into<String>);
assert_not_impl_any!(StartUrl: Display, PartialEq, Serialize, Copy, AsRef<str>, Into<String>);
assert_not_impl_any!(ClientSecret: Display, PartialEq, Serialize, Copy, AsRef<str>, Into<String>);
assert_not_impl_any!(StaticToken: Display, PartialEq, Serialize);
assert_not_impl_any!(App: Display, PartialEq, Serialize);
assert_not_impl_any!(Callback: Display, PartialEq, Serialize);
assert_not_impl_any!(SessionBinding: Display, PartialEq, Serialize);
assert_not_impl_any!(AuthorizeRequest: Display, PartialEq, Serialize);
assert_not_impl_any!(Authorization: Display, PartialEq, Serialize);
assert_not_impl_any!(Parked: Display, PartialEq, Serialize);
assert_not_impl_any!(ServerToServerBuilder: Clone, Display, PartialEq, Serialize);
