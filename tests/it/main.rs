//! The journeys across crates: real HTTP, a real SQLite file, the hosts as programs where a process matters.

#[cfg(test)]
mod browser;
#[cfg(test)]
mod canary;
#[cfg(test)]
mod capture;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod fakes;
#[cfg(test)]
mod fallback;
#[cfg(test)]
mod forged;
#[cfg(test)]
mod journey;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod leaving;
#[cfg(test)]
mod once;
#[cfg(test)]
mod programs;
#[cfg(test)]
mod refresh;
#[cfg(test)]
mod terminal;
#[cfg(test)]
mod wait;
#[cfg(test)]
mod whisper;
#[cfg(test)]
mod world;
