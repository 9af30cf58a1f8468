//! Java, advisory: an import names no artifact, so only what is well known leads to one.

use super::{each_node, longest, run, slice};
use crate::inspect::packages::{
    Ecosystem,
    extract::{Context, Sink},
};

/// Java's packages, and the artifact that brings them.
const ARTIFACTS: &[(&str, &str)] = &[
    ("ch.qos.logback.classic", "ch.qos.logback:logback-classic"),
    ("ch.qos.logback.core", "ch.qos.logback:logback-core"),
    ("com.alibaba.fastjson", "com.alibaba:fastjson"),
    ("com.alibaba.fastjson2", "com.alibaba.fastjson2:fastjson2"),
    ("com.amazonaws", "com.amazonaws:aws-java-sdk-core"),
    (
        "com.fasterxml.jackson.annotation",
        "com.fasterxml.jackson.core:jackson-annotations",
    ),
    (
        "com.fasterxml.jackson.core",
        "com.fasterxml.jackson.core:jackson-core",
    ),
    (
        "com.fasterxml.jackson.databind",
        "com.fasterxml.jackson.core:jackson-databind",
    ),
    (
        "com.github.benmanes.caffeine",
        "com.github.ben-manes.caffeine:caffeine",
    ),
    (
        "com.google.cloud.storage",
        "com.google.cloud:google-cloud-storage",
    ),
    ("com.google.common", "com.google.guava:guava"),
    ("com.google.gson", "com.google.code.gson:gson"),
    ("com.google.inject", "com.google.inject:guice"),
    ("com.google.protobuf", "com.google.protobuf:protobuf-java"),
    ("com.mongodb", "org.mongodb:mongodb-driver-sync"),
    ("com.mysql.cj", "com.mysql:mysql-connector-j"),
    ("com.opencsv", "com.opencsv:opencsv"),
    ("com.rabbitmq.client", "com.rabbitmq:amqp-client"),
    ("com.squareup.moshi", "com.squareup.moshi:moshi"),
    ("com.zaxxer.hikari", "com.zaxxer:HikariCP"),
    ("io.grpc", "io.grpc:grpc-api"),
    ("io.jsonwebtoken", "io.jsonwebtoken:jjwt-api"),
    ("io.lettuce.core", "io.lettuce:lettuce-core"),
    ("io.micrometer.core", "io.micrometer:micrometer-core"),
    ("io.netty", "io.netty:netty-all"),
    ("io.reactivex.rxjava3", "io.reactivex.rxjava3:rxjava"),
    ("io.vertx.core", "io.vertx:vertx-core"),
    (
        "jakarta.persistence",
        "jakarta.persistence:jakarta.persistence-api",
    ),
    ("jakarta.servlet", "jakarta.servlet:jakarta.servlet-api"),
    (
        "jakarta.validation",
        "jakarta.validation:jakarta.validation-api",
    ),
    (
        "javax.persistence",
        "javax.persistence:javax.persistence-api",
    ),
    ("javax.servlet", "javax.servlet:javax.servlet-api"),
    ("junit.framework", "junit:junit"),
    ("lombok", "org.projectlombok:lombok"),
    ("okhttp3", "com.squareup.okhttp3:okhttp"),
    ("org.apache.commons.codec", "commons-codec:commons-codec"),
    (
        "org.apache.commons.collections4",
        "org.apache.commons:commons-collections4",
    ),
    ("org.apache.commons.csv", "org.apache.commons:commons-csv"),
    ("org.apache.commons.io", "commons-io:commons-io"),
    (
        "org.apache.commons.lang3",
        "org.apache.commons:commons-lang3",
    ),
    ("org.apache.commons.text", "org.apache.commons:commons-text"),
    (
        "org.apache.hc.client5",
        "org.apache.httpcomponents.client5:httpclient5",
    ),
    ("org.apache.http", "org.apache.httpcomponents:httpclient"),
    ("org.apache.kafka.clients", "org.apache.kafka:kafka-clients"),
    (
        "org.apache.logging.log4j",
        "org.apache.logging.log4j:log4j-api",
    ),
    (
        "org.apache.logging.log4j.core",
        "org.apache.logging.log4j:log4j-core",
    ),
    ("org.apache.lucene", "org.apache.lucene:lucene-core"),
    ("org.apache.pdfbox", "org.apache.pdfbox:pdfbox"),
    ("org.apache.poi", "org.apache.poi:poi"),
    ("org.apache.poi.xssf", "org.apache.poi:poi-ooxml"),
    ("org.apache.spark", "org.apache.spark:spark-core_2.13"),
    ("org.assertj.core", "org.assertj:assertj-core"),
    ("org.bouncycastle", "org.bouncycastle:bcprov-jdk18on"),
    ("org.hamcrest", "org.hamcrest:hamcrest"),
    ("org.hibernate", "org.hibernate.orm:hibernate-core"),
    ("org.joda.time", "joda-time:joda-time"),
    ("org.json", "org.json:json"),
    ("org.jsoup", "org.jsoup:jsoup"),
    ("org.junit", "junit:junit"),
    ("org.junit.jupiter", "org.junit.jupiter:junit-jupiter-api"),
    ("org.mapstruct", "org.mapstruct:mapstruct"),
    ("org.mockito", "org.mockito:mockito-core"),
    (
        "org.openqa.selenium",
        "org.seleniumhq.selenium:selenium-java",
    ),
    ("org.postgresql", "org.postgresql:postgresql"),
    ("org.quartz", "org.quartz-scheduler:quartz"),
    ("org.slf4j", "org.slf4j:slf4j-api"),
    (
        "org.springframework.beans",
        "org.springframework:spring-beans",
    ),
    (
        "org.springframework.boot",
        "org.springframework.boot:spring-boot",
    ),
    (
        "org.springframework.boot.autoconfigure",
        "org.springframework.boot:spring-boot-autoconfigure",
    ),
    (
        "org.springframework.context",
        "org.springframework:spring-context",
    ),
    (
        "org.springframework.core",
        "org.springframework:spring-core",
    ),
    (
        "org.springframework.data.jpa",
        "org.springframework.data:spring-data-jpa",
    ),
    ("org.springframework.http", "org.springframework:spring-web"),
    (
        "org.springframework.jdbc",
        "org.springframework:spring-jdbc",
    ),
    (
        "org.springframework.kafka",
        "org.springframework.kafka:spring-kafka",
    ),
    (
        "org.springframework.security",
        "org.springframework.security:spring-security-core",
    ),
    (
        "org.springframework.stereotype",
        "org.springframework:spring-context",
    ),
    ("org.springframework.web", "org.springframework:spring-web"),
    (
        "org.springframework.web.servlet",
        "org.springframework:spring-webmvc",
    ),
    ("org.testcontainers", "org.testcontainers:testcontainers"),
    ("org.testng", "org.testng:testng"),
    ("org.yaml.snakeyaml", "org.yaml:snakeyaml"),
    ("reactor.core", "io.projectreactor:reactor-core"),
    ("redis.clients.jedis", "redis.clients:jedis"),
    ("retrofit2", "com.squareup.retrofit2:retrofit"),
];

pub(in super::super) fn java(sink: &mut Sink, text: &str, base: usize) {
    each_node(&tree_sitter_java::LANGUAGE.into(), text, &mut |node| {
        run::read(sink, node, text, base);
        if node.kind() != "import_declaration" {
            return;
        }
        let Some(path) = node.named_child(0) else {
            return;
        };
        let range = path.byte_range();
        if let Some(artifact) = longest(ARTIFACTS, slice(text, range.clone()), '.') {
            let range = base + range.start..base + range.end;
            sink.add(Context::Import, Ecosystem::Maven, artifact, None, range);
        }
    });
}
