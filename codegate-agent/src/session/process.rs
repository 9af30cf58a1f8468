//! Who called, as sessions tell it.

use serde::{Deserialize, Serialize};

use crate::flow;

/// Who called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// Its executable, if it could be read.
    pub exe: Option<String>,
    /// Its real user.
    pub uid: u32,
    /// The kernel's name of the calling thread.
    pub comm: String,
    /// The AI tool that it is, or was started by, if it is one that CodeGate knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// The container that it was in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Container>,
}

/// A container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// Its id.
    pub id: String,
    /// The whole name of the image that it was made from, if the engine's state told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
}

impl From<&flow::Container> for Container {
    fn from(container: &flow::Container) -> Self {
        Self {
            id: container.id.clone(),
            image: container.image.clone(),
        }
    }
}

impl From<&flow::Process> for Process {
    fn from(process: &flow::Process) -> Self {
        let exe = process
            .exe
            .as_ref()
            .map(|exe| exe.to_string_lossy().into_owned());
        Self {
            pid: process.pid,
            exe,
            uid: process.uid,
            comm: process.comm.clone(),
            tool: process.tool.map(str::to_owned),
            container: process.container.as_deref().map(Container::from),
        }
    }
}
