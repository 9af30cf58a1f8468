//! C#: a namespace is usually named as its package is, or begins so.

use super::{each_node, longest, run, slice};
use crate::inspect::packages::{
    Ecosystem,
    extract::{Context, Sink},
};

/// Namespaces whose package is known: those that have more than one part.
const PACKAGES: &[(&str, &str)] = &[
    ("Amazon.S3", "AWSSDK.S3"),
    ("Azure.Core", "Azure.Core"),
    ("Azure.Identity", "Azure.Identity"),
    ("Azure.Storage.Blobs", "Azure.Storage.Blobs"),
    ("Confluent.Kafka", "Confluent.Kafka"),
    ("Google.Protobuf", "Google.Protobuf"),
    ("Grpc.Core", "Grpc.Core.Api"),
    ("Grpc.Net.Client", "Grpc.Net.Client"),
    (
        "Microsoft.AspNetCore.Authentication.JwtBearer",
        "Microsoft.AspNetCore.Authentication.JwtBearer",
    ),
    ("Microsoft.Data.SqlClient", "Microsoft.Data.SqlClient"),
    ("Microsoft.Data.Sqlite", "Microsoft.Data.Sqlite"),
    (
        "Microsoft.EntityFrameworkCore",
        "Microsoft.EntityFrameworkCore",
    ),
    ("Microsoft.Extensions.AI", "Microsoft.Extensions.AI"),
    (
        "Microsoft.Extensions.Configuration",
        "Microsoft.Extensions.Configuration",
    ),
    (
        "Microsoft.Extensions.DependencyInjection",
        "Microsoft.Extensions.DependencyInjection",
    ),
    (
        "Microsoft.Extensions.Hosting",
        "Microsoft.Extensions.Hosting",
    ),
    ("Microsoft.Extensions.Http", "Microsoft.Extensions.Http"),
    (
        "Microsoft.Extensions.Logging",
        "Microsoft.Extensions.Logging",
    ),
    (
        "Microsoft.Extensions.Options",
        "Microsoft.Extensions.Options",
    ),
    (
        "Microsoft.IdentityModel.Tokens",
        "Microsoft.IdentityModel.Tokens",
    ),
    ("Microsoft.SemanticKernel", "Microsoft.SemanticKernel"),
    (
        "Microsoft.VisualStudio.TestTools.UnitTesting",
        "MSTest.TestFramework",
    ),
    ("MongoDB.Bson", "MongoDB.Bson"),
    ("MongoDB.Driver", "MongoDB.Driver"),
    ("MySql.Data", "MySql.Data"),
    ("NUnit.Framework", "NUnit"),
    ("Newtonsoft.Json", "Newtonsoft.Json"),
    ("OpenQA.Selenium", "Selenium.WebDriver"),
    ("Oracle.ManagedDataAccess", "Oracle.ManagedDataAccess.Core"),
    ("RabbitMQ.Client", "RabbitMQ.Client"),
    ("SixLabors.ImageSharp", "SixLabors.ImageSharp"),
    ("StackExchange.Redis", "StackExchange.Redis"),
    ("Swashbuckle.AspNetCore", "Swashbuckle.AspNetCore"),
    ("System.CommandLine", "System.CommandLine"),
    ("System.Data.SqlClient", "System.Data.SqlClient"),
    (
        "System.IdentityModel.Tokens.Jwt",
        "System.IdentityModel.Tokens.Jwt",
    ),
    ("AutoMapper", "AutoMapper"),
    ("Bogus", "Bogus"),
    ("CsvHelper", "CsvHelper"),
    ("Dapper", "Dapper"),
    ("FluentAssertions", "FluentAssertions"),
    ("FluentValidation", "FluentValidation"),
    ("Hangfire", "Hangfire"),
    ("HtmlAgilityPack", "HtmlAgilityPack"),
    ("MassTransit", "MassTransit"),
    ("MediatR", "MediatR"),
    ("Moq", "Moq"),
    ("NLog", "NLog"),
    ("NSubstitute", "NSubstitute"),
    ("Npgsql", "Npgsql"),
    ("OpenAI", "OpenAI"),
    ("Polly", "Polly"),
    ("Quartz", "Quartz"),
    ("Refit", "Refit"),
    ("RestSharp", "RestSharp"),
    ("Serilog", "Serilog"),
    ("Spectre.Console", "Spectre.Console"),
    ("Stripe", "Stripe.net"),
    ("Xunit", "xunit"),
    ("YamlDotNet", "YamlDotNet"),
];

/// What the runtime, an engine, or the compiler brings.
const BROUGHT: &[&str] = &[
    "System",
    "Microsoft",
    "Windows",
    "Internal",
    "Interop",
    "UnityEngine",
    "UnityEditor",
    "Unity",
    "Godot",
    "Mono",
    "Java",
    "Android",
    "Foundation",
    "UIKit",
    "TMPro",
];

pub(in super::super) fn csharp(sink: &mut Sink, text: &str, base: usize) {
    let mut own: Vec<&str> = Vec::new();
    let mut used = Vec::new();
    each_node(
        &tree_sitter_c_sharp::LANGUAGE.into(),
        text,
        &mut |node| match node.kind() {
            "invocation_expression" | "object_creation_expression" => {
                run::read(sink, node, text, base);
            }
            "namespace_declaration" | "file_scoped_namespace_declaration" => {
                let name = node.child_by_field_name("name");
                let name = name.map_or("", |name| slice(text, name.byte_range()));
                own.extend(name.split('.').next());
            }
            "using_directive" => {
                let last = node.named_child_count().saturating_sub(1) as u32;
                used.extend(node.named_child(last).map(|name| name.byte_range()));
            }
            _ => {}
        },
    );
    for range in used {
        let namespace = slice(text, range.clone());
        let Some(package) = package(namespace).filter(|_| !own.contains(&root(namespace))) else {
            continue;
        };
        let range = base + range.start..base + range.end;
        sink.add(Context::Import, Ecosystem::NuGet, package, None, range);
    }
}

/// What has several parts and is not known is the user's own more often than not.
fn package(namespace: &str) -> Option<&str> {
    let known = longest(PACKAGES, namespace, '.');
    let single = !namespace.contains('.') && !BROUGHT.contains(&namespace);
    known.or(Some(namespace).filter(|_| single))
}

fn root(namespace: &str) -> &str {
    namespace.split('.').next().unwrap_or(namespace)
}
