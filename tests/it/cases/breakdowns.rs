//! Figures by country, campaign and the like.

use expect_test::expect;

use crate::fold::story::club;

#[test]
fn group_by_country_with_sales_but_no_clicks() {
    club(
        r#"
01-02 10:00 Click click_id=k1 member_id=ann country=DE
01-02 10:01 Click click_id=k2 member_id=ann country=FR
01-03 10:00 Conversion conversion_id=p1 kind=purchase click_id=k1 customer_id=u1 amount=1000
01-03 10:01 Conversion conversion_id=p2 kind=purchase customer_id=u2 amount=500
01-03 10:02 Click click_id=k3 member_id=ann country=FR
        "#,
        "days by:country@01-03",
        expect![[r#""#]],
    );
}

#[test]
fn utm_go() {
    club(
        r#"
01-02 10:00 Click click_id=k1 member_id=ann utm_source=go
01-02 10:01 Click click_id=k2 member_id=ann utm_source=google
01-02 10:02 Click click_id=k3 member_id=ann utm_source=GO
        "#,
        "by:utm_source",
        expect![[r#""#]],
    );
}
