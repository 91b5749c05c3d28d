//! The released schemas. A release adds its lines; nobody changes one.

use super::Embedded;
use super::fields::Shape;
use crate::event::Kind;

/// A released schema: it stays readable, and the file stays as it is.
#[derive(Debug, Clone, Copy)]
pub struct Released {
    pub schema: Embedded,
    pub version: &'static str,
    /// CRC-64-AVRO of the file's bytes: documentation, defaults and logical types are frozen too.
    pub frozen: u64,
}

/// Every schema ever released, oldest first.
pub const RELEASED: &[Released] = &[
    Released {
        schema: Embedded {
            shape: Shape::Event(Kind::Creator),
            file: "schemas/released/v1/Creator.avsc",
            json: include_str!("../../schemas/released/v1/Creator.avsc"),
            fingerprint: 0xf913_154d_70ca_70ac,
        },
        version: "v1",
        frozen: 0xa8b5_6652_91b7_8c7b,
    },
    Released {
        schema: Embedded {
            shape: Shape::Event(Kind::Member),
            file: "schemas/released/v1/Member.avsc",
            json: include_str!("../../schemas/released/v1/Member.avsc"),
            fingerprint: 0xcf05_755c_1cd2_0be2,
        },
        version: "v1",
        frozen: 0x603a_31db_3269_6f17,
    },
    Released {
        schema: Embedded {
            shape: Shape::Event(Kind::Sighting),
            file: "schemas/released/v1/Sighting.avsc",
            json: include_str!("../../schemas/released/v1/Sighting.avsc"),
            fingerprint: 0x46ba_25a6_3108_ad83,
        },
        version: "v1",
        frozen: 0xa509_cad2_90ac_e3f9,
    },
    Released {
        schema: Embedded {
            shape: Shape::Event(Kind::Share),
            file: "schemas/released/v1/Share.avsc",
            json: include_str!("../../schemas/released/v1/Share.avsc"),
            fingerprint: 0xa759_22c3_9225_3f1b,
        },
        version: "v1",
        frozen: 0xa712_37cd_212a_0c1a,
    },
    Released {
        schema: Embedded {
            shape: Shape::Event(Kind::Click),
            file: "schemas/released/v1/Click.avsc",
            json: include_str!("../../schemas/released/v1/Click.avsc"),
            fingerprint: 0xd5c2_aee6_5ca8_b7ab,
        },
        version: "v1",
        frozen: 0x174c_2be8_717c_6784,
    },
    Released {
        schema: Embedded {
            shape: Shape::Event(Kind::Conversion),
            file: "schemas/released/v1/Conversion.avsc",
            json: include_str!("../../schemas/released/v1/Conversion.avsc"),
            fingerprint: 0xda10_11c7_c9bc_e5ee,
        },
        version: "v1",
        frozen: 0x8f94_df24_2b80_a2d0,
    },
    Released {
        schema: Embedded {
            shape: Shape::Event(Kind::Commission),
            file: "schemas/released/v1/Commission.avsc",
            json: include_str!("../../schemas/released/v1/Commission.avsc"),
            fingerprint: 0x1a2b_9f67_f20a_efdd,
        },
        version: "v1",
        frozen: 0x6e4b_d8fb_4edf_4e93,
    },
    Released {
        schema: Embedded {
            shape: Shape::Event(Kind::Review),
            file: "schemas/released/v1/Review.avsc",
            json: include_str!("../../schemas/released/v1/Review.avsc"),
            fingerprint: 0xa22b_3b22_e469_73eb,
        },
        version: "v1",
        frozen: 0xe2c8_27b7_5804_eda5,
    },
    Released {
        schema: Embedded {
            shape: Shape::Event(Kind::RuleSet),
            file: "schemas/released/v1/RuleSet.avsc",
            json: include_str!("../../schemas/released/v1/RuleSet.avsc"),
            fingerprint: 0x8a88_1d5e_d70e_32f6,
        },
        version: "v1",
        frozen: 0x9bc4_0103_6b43_097a,
    },
    Released {
        schema: Embedded {
            shape: Shape::Event(Kind::ListEntry),
            file: "schemas/released/v1/ListEntry.avsc",
            json: include_str!("../../schemas/released/v1/ListEntry.avsc"),
            fingerprint: 0x053d_fb25_0ad4_9ca1,
        },
        version: "v1",
        frozen: 0xac97_f608_7c01_5395,
    },
    Released {
        schema: Embedded {
            shape: Shape::Event(Kind::Template),
            file: "schemas/released/v1/Template.avsc",
            json: include_str!("../../schemas/released/v1/Template.avsc"),
            fingerprint: 0x3a77_6ee9_47c9_369e,
        },
        version: "v1",
        frozen: 0x2161_a1fc_dece_88e1,
    },
    Released {
        schema: Embedded {
            shape: Shape::Event(Kind::Erasure),
            file: "schemas/released/v1/Erasure.avsc",
            json: include_str!("../../schemas/released/v1/Erasure.avsc"),
            fingerprint: 0x244d_9a25_3911_12f5,
        },
        version: "v1",
        frozen: 0xb061_9808_a3c3_e19f,
    },
    Released {
        schema: Embedded {
            shape: Shape::Event(Kind::Tick),
            file: "schemas/released/v1/Tick.avsc",
            json: include_str!("../../schemas/released/v1/Tick.avsc"),
            fingerprint: 0x60d8_6f18_87eb_cbbd,
        },
        version: "v1",
        frozen: 0xa84a_84fc_4c76_8522,
    },
    Released {
        schema: Embedded {
            shape: Shape::Decision,
            file: "schemas/released/v1/Decision.avsc",
            json: include_str!("../../schemas/released/v1/Decision.avsc"),
            fingerprint: 0xe9ab_0a83_f7ec_2c9f,
        },
        version: "v1",
        frozen: 0xcfc7_66dc_5bb2_8382,
    },
    Released {
        schema: Embedded {
            shape: Shape::DeadLetter,
            file: "schemas/released/v1/DeadLetter.avsc",
            json: include_str!("../../schemas/released/v1/DeadLetter.avsc"),
            fingerprint: 0x58bf_7f87_d65e_7cee,
        },
        version: "v1",
        frozen: 0x1529_15cd_30da_7050,
    },
];
