//! Files that run commands, each in a form of its own.

pub(super) mod commands;
pub(super) mod diff;
pub(super) mod docker;
mod json;
pub(super) mod make;
pub(super) mod yaml;

pub(super) use json::Json;
