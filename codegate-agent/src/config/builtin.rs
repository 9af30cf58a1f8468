//! The hosts that CodeGate guards without being told, all on port 443.
//!
//! Only hosts that prompts go to: sign-in and telemetry hosts of the same vendors are left alone,
//! because sealing a token on its way to its own issuer would break the sign-in. Cursor and Windsurf
//! are missing on purpose: they speak gRPC in both directions at once, which cannot be read as whole
//! bodies; their dialects bring their hosts along.

use super::{endpoints::Provider, host::HostPattern};

/// The table, parsed.
pub(super) fn hosts() -> impl Iterator<Item = (HostPattern, Provider)> {
    let listed = TABLE
        .iter()
        .flat_map(|(provider, hosts)| hosts.iter().map(|host| (host.to_string(), *provider)));
    let regional = REGIONAL.iter().flat_map(|(before, regions, after)| {
        let host = move |region: &&str| (format!("{before}{region}{after}"), Provider::Opaque);
        regions.iter().map(host)
    });
    listed
        .chain(regional)
        .filter_map(|(host, provider)| Some((host.parse().ok()?, provider)))
}

/// Where the machine's own models answer, in clear: by name, as the resolver has both its addresses.
pub(super) fn local() -> impl Iterator<Item = (HostPattern, u16, Provider)> {
    const PORTS: [(u16, Provider); 4] = [
        (11434, Provider::Ollama),
        (1234, Provider::OpenAi), // LM Studio
        (8000, Provider::OpenAi), // vLLM
        (8080, Provider::OpenAi), // llama.cpp
    ];
    let host = |(port, provider)| Some(("localhost".parse().ok()?, port, provider));
    PORTS.into_iter().filter_map(host)
}

const TABLE: &[(Provider, &[&str])] = &[
    (
        Provider::OpenAi,
        &[
            "api.openai.com",
            "chatgpt.com", // Codex with a ChatGPT sign-in: /backend-api/codex/responses
            // They speak OpenAI's dialect.
            "api.cerebras.ai",
            "api.deepseek.com",
            "api.fireworks.ai",
            "api.groq.com",
            "api.mistral.ai",
            "api.perplexity.ai",
            "api.together.xyz",
            "api.x.ai",
            "codestral.mistral.ai",
            "openrouter.ai",
            "router.huggingface.co",
            // Azure.
            "*.openai.azure.com",
            "*.services.ai.azure.com",
            // Copilot. A wildcard cannot be resolved, so the plans are named besides.
            "*.githubcopilot.com",
            "api.business.githubcopilot.com",
            "api.enterprise.githubcopilot.com",
            "api.githubcopilot.com",
            "api.individual.githubcopilot.com",
            "copilot-proxy.githubusercontent.com",
            "proxy.business.githubcopilot.com",
            "proxy.enterprise.githubcopilot.com",
            "proxy.individual.githubcopilot.com",
        ],
    ),
    (Provider::Anthropic, &["api.anthropic.com"]),
    (Provider::Ollama, &["ollama.com"]),
    (
        Provider::Opaque,
        &[
            // Google.
            "aiplatform.googleapis.com",
            "cloudcode-pa.googleapis.com",
            "daily-cloudcode-pa.googleapis.com",
            "generativelanguage.googleapis.com",
            // Amazon Q and Kiro.
            "codewhisperer.us-east-1.amazonaws.com",
            "q.eu-central-1.amazonaws.com",
            "q.us-east-1.amazonaws.com",
            // The others.
            "*.api.augmentcode.com",
            "*.grazie.ai",
            "*.tabnine.com",
            "ampcode.com",
            "api.cohere.com",
            "api.factory.ai",
            "api.jetbrains.ai",
            "llm.zed.dev",
            "sourcegraph.com",
        ],
    ),
];

/// What comes before the region, the regions, and what comes after.
type Regional = (&'static str, &'static [&'static str], &'static str);

/// A pattern's star stands at its front only, so the regions are named.
const REGIONAL: &[Regional] = &[
    ("bedrock-runtime.", AWS, ".amazonaws.com"),
    ("", GOOGLE, "-aiplatform.googleapis.com"),
];

const AWS: &[&str] = &[
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-2",
];

const GOOGLE: &[&str] = &[
    "asia-east1",
    "asia-northeast1",
    "asia-southeast1",
    "europe-west1",
    "europe-west3",
    "europe-west4",
    "us-central1",
    "us-east1",
    "us-east4",
    "us-east5",
    "us-west1",
    "us-west4",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_host_of_the_table_is_a_host_and_stands_there_once() {
        let listed = TABLE.iter().map(|(_, hosts)| hosts.len()).sum::<usize>();
        let regional = REGIONAL
            .iter()
            .map(|(_, names, _)| names.len())
            .sum::<usize>();
        let distinct: BTreeSet<HostPattern> = hosts().map(|(host, _)| host).collect();
        assert_eq!(distinct.len(), listed + regional);
    }
}
