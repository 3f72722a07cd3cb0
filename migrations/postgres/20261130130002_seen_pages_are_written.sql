-- programs: 20261130130001 what a run has seen is written in pages, which programs of before do not look at.
SELECT 1;
