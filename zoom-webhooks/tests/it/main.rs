//! From a request to a handled event, as a host has it.

#[cfg(test)]
mod http;
#[cfg(test)]
mod inbox;
#[cfg(test)]
mod setup;
#[cfg(test)]
mod ui;
