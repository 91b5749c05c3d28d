//! Answers that are kept as they were given: those of a click for the conversion that it wins, those of a conversion for
//! its commissions.

use bytemuck::Zeroable;

use crate::fold::fraud::{Answer, Evidence, Finding, Guard, Missing, Question};
use crate::fold::records::{FROZEN, Frozen, FrozenEvidence};

/// The questions of `check_self_referral` and `check_click_fraud`, in their order.
pub(super) const QUESTIONS: [Question; FROZEN] = [
    Question::SameIp,
    Question::SameDevice,
    Question::SameUserId,
    Question::SameEmail,
    Question::SamePayout,
    Question::DeclaredBot,
    Question::ClicksOfIpInMinute,
    Question::ClicksOfIpInHour,
    Question::ClicksOfDeviceInMinute,
    Question::ClicksOfNetworkInMinute,
    Question::RegularGaps,
    Question::HastyConversion,
    Question::LateClick,
    Question::ClickBehindAnother,
];

/// Numbers of answers in the record: then come the guards, then what was missing.
const NO: u8 = 0;
const YES: u8 = 1;
const SILENCED: u8 = 2;
const UNKNOWN: u8 = 16;

pub(super) fn freeze<'f>(findings: impl Iterator<Item = &'f Finding>) -> Frozen {
    let mut frozen = Frozen::zeroed();
    let places = frozen.answers.iter_mut().zip(&mut frozen.evidence);
    for ((answer, evidence), finding) in places.zip(findings) {
        let (number, seen) = match finding.answer {
            Answer::No => (NO, None),
            Answer::Yes(seen) => (YES, Some(seen)),
            Answer::Silenced(seen, guard) => (SILENCED + guard.number(), Some(seen)),
            Answer::Unknown(missing) => (UNKNOWN + missing.number(), None),
        };
        *answer = number;
        if let Some(Evidence { observed, threshold, window }) = seen {
            *evidence = FrozenEvidence { observed, threshold, window };
        }
    }
    frozen
}

pub(super) fn thaw(frozen: &Frozen) -> [Finding; FROZEN] {
    let mut answers = frozen.answers.iter().zip(frozen.evidence);
    QUESTIONS.map(|question| {
        let Some((number, FrozenEvidence { observed, threshold, window })) = answers.next() else {
            return Finding { question, answer: Answer::No };
        };
        let seen = Evidence { observed, threshold, window };
        let answer = match *number {
            NO => Answer::No,
            YES => Answer::Yes(seen),
            UNKNOWN.. => Answer::Unknown(Missing::of_number(*number - UNKNOWN)),
            guard => Answer::Silenced(seen, Guard::of_number(guard - SILENCED)),
        };
        Finding { question, answer }
    })
}

/// Whether a click's answers need to be kept: something fired, or would have.
pub(super) fn is_noted<'f>(mut findings: impl Iterator<Item = &'f Finding>) -> bool {
    findings.any(|finding| matches!(finding.answer, Answer::Yes(_) | Answer::Silenced(..)))
}

/// Bit i: question i was not answered.
pub(super) fn unknown<'f>(findings: impl Iterator<Item = &'f Finding>) -> u16 {
    let bits = findings.enumerate().filter(|(_, finding)| matches!(finding.answer, Answer::Unknown(_)));
    bits.fold(0, |bits, (i, _)| bits | 1 << i)
}

/// What is left of a click of which nothing was noted.
pub(super) fn of_bits(bits: u16) -> [Finding; FROZEN] {
    let mut i = 0;
    QUESTIONS.map(|question| {
        let is_unknown = bits & (1 << i) != 0;
        i += 1;
        let answer = if is_unknown { Answer::Unknown(usually(question)) } else { Answer::No };
        Finding { question, answer }
    })
}

/// What is missing if a question about a click has no answer.
const fn usually(question: Question) -> Missing {
    match question {
        Question::SameIp | Question::ClicksOfIpInMinute | Question::ClicksOfIpInHour => Missing::ActorIp,
        Question::SameDevice | Question::ClicksOfDeviceInMinute => Missing::ActorDevice,
        Question::SameUserId => Missing::ActorUser,
        Question::SameEmail => Missing::ActorEmail,
        Question::SamePayout => Missing::ActorPayment,
        Question::DeclaredBot => Missing::UserAgent,
        Question::ClicksOfNetworkInMinute => Missing::ActorNetwork,
        Question::RegularGaps => Missing::Clicks,
        Question::HastyConversion
        | Question::LateClick
        | Question::ClickBehindAnother
        | Question::CustomerChargebacks
        | Question::MemberChargebacks
        | Question::MemberRefunds
        | Question::EarlyRefunds
        | Question::CustomerRefunds
        | Question::ClusterAccounts
        | Question::SharedPayment
        | Question::SharedDevice
        | Question::MadeCustomers
        | Question::RushedCustomers => Missing::Click,
    }
}

/// The worse of two answers to one question: what fired anywhere fired.
pub(super) fn worse(own: Finding, inherited: Finding) -> Finding {
    if weight(inherited.answer) > weight(own.answer) { inherited } else { own }
}

const fn weight(answer: Answer) -> u8 {
    match answer {
        Answer::Unknown(_) => 0,
        Answer::No => 1,
        Answer::Silenced(..) => 2,
        Answer::Yes(_) => 3,
    }
}
