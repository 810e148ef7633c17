//! The queues and the worker, as a host uses them.

#[cfg(test)]
mod homes;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod worker;
