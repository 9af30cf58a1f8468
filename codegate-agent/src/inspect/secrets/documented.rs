//! Values that everybody knows, since their issuers print them in documentation or build them into
//! emulators.
//!
//! Knows: their hashes, so that no value that looks like a key is in this repository. Must not know:
//! rules, names.

use aws_lc_rs::digest::{SHA256, digest};

/// The first eight bytes of their SHA-256.
const DOCUMENTED: [u64; 36] = [
    // The client of Google Cloud's command line, which is no secret in a program that everybody has.
    0xf038_6f9b_e1fe_905f,
    // Keys in the samples of Google Maps, Firebase and the YouTube player.
    0x27a9_a429_31df_f7eb,
    0x49f7_77db_995e_8260,
    0xa6c8_14bc_555a_e62c,
    0x8731_261c_b72d_8626,
    0x37f8_f09b_df12_c2f2,
    0xeb54_0d2b_6ee2_a0a4,
    0x2037_abca_ffb2_b777,
    0x3a8b_61d0_f636_b007,
    0x4c98_242d_cadc_8b29,
    0xea9b_b108_2cf9_5663,
    0x3f37_0c9d_d822_5c63,
    0xa19f_89ab_3555_eac1,
    0xe4a5_542b_b7fd_7b67,
    0xdc0f_cf04_6c61_640c,
    0x0b47_6bdf_9acf_2123,
    // The emulators of Azure Storage and Cosmos DB: each has one key, the same everywhere.
    0x0011_cc25_eb43_2071,
    0xaa65_4743_9583_c3a2,
    // The test keys of Stripe's documentation.
    0x2caf_c097_0149_a84f,
    0xf2d6_ca16_5150_33e5,
    0x7e8d_e44e_a9ec_f6d5,
    // The samples of jwt.io, of HTTP's Basic scheme (RFC 7617), and the words of Ethereum's test chains.
    0x7f75_367e_7881_2551,
    0xda81_6f9f_2c16_e6c5,
    0xcf4d_418e_d3de_92d7,
    0xd05f_6bb1_aa2e_4ccd,
    0xf79c_d64f_9cea_2378,
    // The first accounts of Hardhat's and Anvil's chains, with and without their prefix.
    0x60a0_9e43_5786_8c1e,
    0xbc1a_5096_6c9e_6486,
    0x0951_01cf_732c_298a,
    0x8335_c553_3482_1eef,
    0xbb49_78fb_e763_8de8,
    0xb26a_b652_9d20_ebeb,
    0xf023_2219_7a19_6ceb,
    0x6403_4b44_c579_b335,
    0x5de2_2089_c247_b9b2,
    0x4d3e_46ee_c824_4d1d,
];

/// Whether a value is one of them.
pub(super) fn is_documented(value: &[u8]) -> bool {
    let hash = digest(&SHA256, value);
    let first = hash.as_ref().first_chunk::<8>();
    first.is_some_and(|first| DOCUMENTED.contains(&u64::from_be_bytes(*first)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_emulators_key_is_known_and_its_neighbour_is_not() {
        let parts = [
            "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM",
            "+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw==",
        ];
        let key = parts.concat();
        assert!(is_documented(key.as_bytes()));
        assert!(!is_documented(key.replace("C2y6", "C2y7").as_bytes()));
    }
}
